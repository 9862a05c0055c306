"""What a deployment needs beside the command: secrets, health checks, roles."""
