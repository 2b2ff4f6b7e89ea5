"""How fast the recipe is, beside what one would write without it; measured in one run on this machine."""
