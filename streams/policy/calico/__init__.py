"""Policies of Calico, projectcalico.org/v3: its kinds, its selector language and what its rules refer to."""
