module bench

go 1.24

require github.com/lockgate/lockgate/sdk/go v0.1.0

replace github.com/lockgate/lockgate/sdk/go => ../../../../sdk/go
