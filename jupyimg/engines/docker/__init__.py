"""The Docker engine: Docker Engine and Podman by way of their API."""
