"""What one trial draws, and the loss that it descends."""
