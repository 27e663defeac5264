module lockgate.dev/go

go 1.24
