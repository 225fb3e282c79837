"""Helm and kustomize, built from Go modules once and kept outside the repository."""
