"""Models on this computer: fetched once, served by llama.cpp on loopback while somebody asks."""
