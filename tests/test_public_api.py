"""The names other people's chapters rest on exist, are described, and stay silent."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import dlcourse

PACKAGE = Path(dlcourse.__file__).parent
NAMES = {
    "device": ["describe_device", "get_device", "seed_everything"],
    "autodiff": ["Tensor", "numerical_gradient"],
    "data": ["Loaders", "Splits", "loaders"],
    "data.adding": ["adding", "copying"],
    "data.carbon_dioxide": ["load", "read"],
    "data.family": ["load"],
    "data.reviews": ["load", "read", "vocabulary"],
    "data.masked_tokens": ["MaskedBatches", "mask_tokens"],
    "data.notes": ["Note", "draw", "load", "vocabulary"],
    "data.number_words": ["english", "english_words", "german", "german_words", "load"],
    "data.pairs": ["PairBatches"],
    "data.reversing": ["load", "vocabulary"],
    "data.skip_grams": ["noise_distribution", "pairs", "subsample"],
    "data.cmudict": ["letters", "load", "phonemes", "read"],
    "data.mail": ["load", "read", "read_raw", "vocabulary"],
    "data.mail_text": ["clean"],
    "data.digits": ["load"],
    "data.line": ["line"],
    "data.mnist": ["load"],
    "data.photograph": ["load"],
    "data.points": ["circles", "distance_to_arms", "grid", "moons", "spirals", "xor"],
    "data.augment": ["RandomAffine"],
    "data.shakespeare": ["load", "read", "vocabulary"],
    "data.text": ["BytePairEncoding", "Vocabulary", "RandomWindows", "fill", "lengths", "mask", "pad", "windows", "words"],
    "layers.activations": ["GELU", "LeakyReLU", "ReLU", "SiLU", "Sigmoid", "Softmax", "Tanh", "sigmoid"],
    "layers.attention": [
        "MultiHeadAttention",
        "causal_mask",
        "fused_dot_product",
        "masked_softmax",
        "scaled_dot_product",
    ],
    "layers.early_attention": ["AdditiveAttention", "DotAttention"],
    "layers.embedding": ["Embedding", "token_mask"],
    "layers.feed_forward": ["FeedForward"],
    "layers.linear": ["Linear"],
    "layers.normalization": ["BatchNorm1d", "BatchNorm2d", "LayerNorm", "RMSNorm"],
    "layers.positional": ["LearnedPositions", "RotaryEmbedding", "SinusoidalPositions", "sinusoidal"],
    "layers.recurrent": ["GRU", "LSTM", "RNN", "gru_step", "lstm_step", "rnn_step", "scan"],
    "layers.transformer": ["TransformerBlock"],
    "layers.convolution": [
        "AvgPool2d",
        "Conv1d",
        "Conv2d",
        "MaxPool2d",
        "conv2d",
        "conv_transpose2d",
        "output_size",
        "receptive_field",
        "windows",
    ],
    "losses": ["binary_cross_entropy_with_logits", "cross_entropy", "huber", "log_sum_exp", "mae", "mse"],
    "metrics": [
        "accuracy",
        "bleu",
        "confusion_matrix",
        "edit_distance",
        "error_rate",
        "exact_match",
        "f1",
        "ngram_precision",
        "precision",
        "recall",
        "roc_curve",
        "wilson_interval",
    ],
    "decoding": ["Hypotheses", "beam_search", "greedy"],
    "generation": ["generate", "sample", "sliding"],
    "hooks": ["record"],
    "models.bag_of_embeddings": ["BagOfEmbeddings"],
    "models.cnn": ["CNN"],
    "models.gpt": ["GPT"],
    "models.language_model": ["RecurrentLanguageModel"],
    "models.linear": ["LinearRegression", "LogisticRegression", "SoftmaxRegression", "largest_stable_rate", "least_squares"],
    "models.mlp": ["MLP"],
    "models.numpy_mlp": ["backward", "forward", "initialise"],
    "models.recurrent_classifier": ["RecurrentClassifier"],
    "models.resnet": ["ResidualBlock", "SmallResNet"],
    "models.sentence_cnn": ["SentenceCNN"],
    "models.seq2seq": ["Seq2Seq"],
    "models.skip_gram": ["SkipGram", "negative_sampling_loss"],
    "models.text_encoder": ["MaskedLanguageModel", "TextClassifier", "TextEncoder"],
    "models.transe": ["TransE", "hits_at", "margin_loss"],
    "models.transformer": ["Transformer"],
    "models.vit": ["ViT", "patches"],
    "optim": ["SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Muon", "Nesterov", "RMSprop", "Together", "orthogonal"],
    "surfaces": ["Surface"],
    "train": [
        "Checkpoint",
        "EpochRecord",
        "NonFiniteLossError",
        "early_stopping",
        "evaluate",
        "load_checkpoint",
        "predict",
        "rate_range",
        "save_checkpoint",
        "train_epochs",
        "warmup_cosine",
    ],
    "plots": ["band", "confusion", "curves", "direct_labels", "image_grid", "live", "pipeline", "style"],
    "exercises": ["Exercise", "check", "choice", "function", "number", "sequence"],
    "notebook": ["show_source", "table"],
    "widgets": [
        "AttentionCalculator",
        "BroadcastingExplorer",
        "ComputationGraph",
        "ContextCost",
        "DrawDigit",
        "EmbeddingExplorer",
        "GateViewer",
        "HeadViewer",
        "KernelExplorer",
        "LossSurface",
        "NgramHighlighter",
        "OptimiserRace",
        "Playground",
        "Pronouncer",
        "TextGenerator",
        "TrainPanel",
        "TransformerWeights",
        "TransformerWriter",
        "UnrolledNetwork",
    ],
}
PARAMETERS = {
    (
        "train",
        "train_epochs",
    ): "model train_batches val_batches optimizer * epochs loss_fn metrics scheduler augment max_grad_norm first_epoch",
    ("train", "evaluate"): "model batches * loss_fn metrics",
    ("train", "predict"): "model batches",
    ("train", "early_stopping"): "records model * patience monitor",
    ("train", "warmup_cosine"): "optimizer * warmup_steps total_steps",
    ("train", "save_checkpoint"): "path * model optimizer epoch history scheduler train_batches augment",
    ("train", "load_checkpoint"): "path * model optimizer scheduler train_batches augment",
    ("losses", "cross_entropy"): "logits targets * label_smoothing ignore_index",
    ("losses", "mse"): "predictions targets",
    ("losses", "huber"): "predictions targets * delta",
    ("autodiff", "numerical_gradient"): "function x * step",
    ("layers.linear", "Linear"): "in_features out_features * bias",
    ("models.mlp", "MLP"): "in_features out_features * hidden_sizes activation",
    ("models.linear", "SoftmaxRegression"): "in_features num_classes",
    ("optim", "SGD"): "params lr * weight_decay",
    ("optim", "Momentum"): "params lr * momentum weight_decay",
    ("optim", "Nesterov"): "params lr * momentum weight_decay",
    ("optim", "AdaGrad"): "params lr * lr_decay weight_decay eps",
    ("optim", "RMSprop"): "params lr * alpha eps weight_decay",
    ("optim", "Adam"): "params lr * betas eps weight_decay",
    ("optim", "AdamW"): "params lr * betas eps weight_decay",
    ("metrics", "accuracy"): "predictions targets",
    ("metrics", "confusion_matrix"): "predictions targets * num_classes",
    ("metrics", "wilson_interval"): "correct total * confidence",
    ("plots", "live"): "records * title",
    ("plots", "curves"): "histories * metric title",
    ("exercises", "check"): "exercise answer",
    ("data", "loaders"): "splits * batch_size seed",
    ("data.cmudict", "load"): "* stress",
    ("data.mail", "load"): "* vocab_size max_length",
    ("data.shakespeare", "load"): "* length",
    ("data.text", "pad"): "sequences * value size",
    ("data.text", "mask"): "lengths * size",
    ("layers.embedding", "Embedding"): "num_embeddings embedding_dim * padding_idx",
    ("layers.convolution", "Conv1d"): "in_channels out_channels kernel_size * padding",
    ("layers.recurrent", "RNN"): "input_size hidden_size * num_layers nonlinearity bidirectional dropout",
    ("layers.recurrent", "LSTM"): "input_size hidden_size * num_layers bidirectional dropout forget_bias",
    ("layers.recurrent", "GRU"): "input_size hidden_size * num_layers bidirectional dropout",
    ("models.language_model", "RecurrentLanguageModel"): "vocab_size hidden_size * cell embedding_dim num_layers dropout",
    (
        "models.sentence_cnn",
        "SentenceCNN",
    ): "vocab_size num_classes * embedding_dim kernel_sizes num_filters dropout padding masked",
    ("models.bag_of_embeddings", "BagOfEmbeddings"): "vocab_size num_classes * embedding_dim dropout padding masked",
    ("generation", "sample"): "logits * temperature top_k top_p generator",
    ("generation", "generate"): "read prompt * num_tokens temperature top_k top_p generator",
    ("decoding", "greedy"): "step state * start end max_length padding",
    ("decoding", "beam_search"): "step state * start end max_length beam length_penalty padding",
    ("layers.attention", "MultiHeadAttention"): "dim * num_heads causal qk_norm rotary bias dropout fused",
    ("models.gpt", "GPT"): (
        "vocab_size dim * num_heads num_layers max_length positions norm activation qk_norm bias tied zero_outputs dropout fused"
    ),
    (
        "models.seq2seq",
        "Seq2Seq",
    ): "source_size target_size * embedding_dim hidden_size attention cell num_layers bidirectional dropout padding",
    ("data.reviews", "load"): "* seed",
    ("data.skip_grams", "pairs"): "tokens * window",
    ("data.adding", "adding"): "num_examples * length seed",
    ("models.cnn", "CNN"): "in_channels num_classes * channels hidden_size image_size",
}


def public(module):
    """The names a module defines itself, without a leading underscore."""
    own = module.__name__
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith(own) and callable(value)
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_the_contract_are_there_and_described(name):
    module = import_module(f"dlcourse.{name}")
    assert module.__doc__
    for member in NAMES[name]:
        value = getattr(module, member)
        assert inspect.getdoc(value), f"{name}.{member} has no docstring"
        assert value.__doc__ is not None


@pytest.mark.parametrize(("module", "name"), PARAMETERS)
def test_parameters_keep_their_names_and_order(module, name):
    signature = inspect.signature(getattr(import_module(f"dlcourse.{module}"), name))
    words, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        words.append(parameter.name)
    assert " ".join(words) == PARAMETERS[module, name]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_exported_exists_and_is_not_private(name):
    exported = getattr(import_module(f"dlcourse.{name}"), "__all__", [])
    assert len(exported) == len(set(exported))
    for member in exported:
        assert not member.startswith("_")
        assert hasattr(import_module(f"dlcourse.{name}"), member)


@pytest.mark.parametrize(
    "name", ["autodiff", "decoding", "device", "generation", "losses", "metrics", "hooks", "notebook", "optim", "surfaces"]
)
def test_nothing_is_public_by_accident(name):
    known = {"metrics": {"RocCurve"}, "notebook": {"Source", "Table"}}.get(name, set())
    assert public(import_module(f"dlcourse.{name}")) == set(NAMES[name]) | known


def calls(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def test_nothing_below_the_plots_prints():
    above = ("plots", "widgets", "exercises", "notebook.py")
    quiet = [path for path in PACKAGE.rglob("*.py") if not path.relative_to(PACKAGE).parts[0].startswith(above)]
    assert len(quiet) > 10
    assert [path.name for path in quiet if "print" in calls(path)] == []


def test_no_file_is_a_place_for_anything():
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert names.isdisjoint({"utils", "helpers", "common", "misc"})
