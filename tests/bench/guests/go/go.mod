module bench

go 1.24

require lockgate.dev/go v0.1.0

replace lockgate.dev/go => ../../../../sdk/go
