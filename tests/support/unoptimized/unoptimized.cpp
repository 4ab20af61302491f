// Carries the precompiled headers of tests that are compiled without optimisation
// (tests/CMakeLists.txt).
