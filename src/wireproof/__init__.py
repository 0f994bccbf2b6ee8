"""wireproof: certify and load-test any OpenAI-compatible backend."""

__version__ = "0.1.0"
