module github.com/lockgate/lockgate/sdk/go

go 1.24
