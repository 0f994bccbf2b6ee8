"""What each operation does: a module or package a resource, its functions marked with `@serves` and `@deed`."""
