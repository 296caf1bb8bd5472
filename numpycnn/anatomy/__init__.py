"""What a network is made of, told without running it: shapes, parameters, multiply-adds, receptive fields."""
