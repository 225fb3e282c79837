"""Denied attempts: first packets that this node saw and that conntrack never confirmed."""
