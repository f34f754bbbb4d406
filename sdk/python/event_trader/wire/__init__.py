"""The contract on the wire: models of every request and response, shared with the gateway."""
