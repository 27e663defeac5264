module reference

go 1.24

require lockgate.dev/go v0.0.0

replace lockgate.dev/go => ../../../sdk/go
