"""What policies of every kind mean to the lab: its own reading of them, independent of the evaluator.

Here the kernel decides, and what it does is what the evaluator is compared with.
"""
