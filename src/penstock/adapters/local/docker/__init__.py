"""Steps as containers: Docker or Podman by their own commands, what goes into a container and what comes out of it."""
