from regroup.program import main

main()
