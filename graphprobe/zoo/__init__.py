"""The bundled models, one file a model."""
