"""The kernel's log groups (nfnetlink_log): bound, read in batches, and what they lost."""
