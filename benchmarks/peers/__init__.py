"""Peers that we wrote ourselves, in the style of others."""
