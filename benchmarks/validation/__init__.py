"""How good validation is: at finding faults, turning away bad tools, letting good ones pass."""
