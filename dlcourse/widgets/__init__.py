"""What the reader can touch: widgets that compute in the page, and a panel for readers with a kernel."""
