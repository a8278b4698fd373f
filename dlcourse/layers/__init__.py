"""Layers that more than one model uses; each with a twin in torch.nn is proved equal to it."""
