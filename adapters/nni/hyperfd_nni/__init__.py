"""HyperFD for NNI: the tuner class that NNI loads, and the client of ``hyperfd-tuner`` behind it."""
