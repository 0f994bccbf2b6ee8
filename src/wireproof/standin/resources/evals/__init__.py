"""Evals: criteria, and runs that put answers to them."""
