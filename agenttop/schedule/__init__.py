"""Who is wanted when: stages, shares, arrivals, manual control. Pure functions of elapsed time, without a clock."""
