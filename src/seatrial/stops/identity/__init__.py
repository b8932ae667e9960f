"""Who serves after a restart: the model and the build that are told, and the owners of the port."""
