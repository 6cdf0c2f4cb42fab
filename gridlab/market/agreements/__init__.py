"""The energy trading contract: data that its parties sign."""
