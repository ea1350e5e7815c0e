"""What distances between embeddings mean: calibrations of an embedder, and the thresholds that follow from them.

A training measures a calibration, and a gallery goes by it: `agegait.gallery` has the names. NumPy and scikit-learn
alone.
"""
