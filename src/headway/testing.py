"""What tests of applications that use Headway need."""
