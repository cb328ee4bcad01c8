"""The rule sets that ship with the service, as documents; code only reads their texts."""
