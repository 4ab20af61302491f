#!/usr/bin/env bash
# Whether mpirun is there and can start processes.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
timeout 60 mpirun --oversubscribe -n 2 true >/dev/null 2>&1
