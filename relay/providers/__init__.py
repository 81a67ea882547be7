"""The APIs: the contract, the one HTTP client, one package for each."""
