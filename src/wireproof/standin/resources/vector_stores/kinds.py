"""The tables of vector stores. All but the first have a store as their parent."""

STORES = "vector_stores"
FILES = "vector_stores.files"
CHUNKS = "vector_stores.chunks"
BATCHES = "vector_stores.batches"

# What a file of a store can be, in the order in which counts are told.
STATES = ("in_progress", "completed", "failed", "cancelled")
