"""What every stage writes: records of the result topics, and what it could not use."""
