"""`python -m dlcodegen` is the command `dlcodegen`."""

from dlcodegen.cli.main import main

if __name__ == "__main__":
    main()
