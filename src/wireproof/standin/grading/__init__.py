"""Graders: what turns an answer into a score, for reinforcement fine-tuning and for evals alike."""
