"""Source of model blocks that generated projects are composed of; read as text, never imported."""
