"""The parts of the simulated provider that know nothing of any one provider."""
