"""Worker pages: Ground Truth's Liquid, crowd elements, and the origin of their own that frames them."""
