"""What a fine-tuning job does with its files: reads the examples, resolves the recipe, draws the curves."""
