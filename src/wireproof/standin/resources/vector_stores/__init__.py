"""Vector stores: files are read (`reading`), cut and embedded (`chunks`, `vectors`), and found again (`search`)."""
