"""Metadata: what all tables of the store are declared in."""

from sqlalchemy import MetaData

metadata = MetaData()
