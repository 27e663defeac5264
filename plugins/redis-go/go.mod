module redis-go

go 1.24

require (
	github.com/gomodule/redigo v1.9.2
	lockgate.dev/go v0.0.0
)

replace lockgate.dev/go => ../../sdk/go
