//! Takes parcels, limits, pushes and settles.
