"""How many users and arrivals when: stages, shares, manual control. Pure functions of elapsed time, without a clock."""
