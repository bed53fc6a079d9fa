# Lines from a file to a file, as they are.
variable "in" {}
variable "out" {}
variable "state" {}

pipeline "pass" {
  state_dir = var.state

  input "file" "in" {
    path = var.in
  }
  output "file" "out" {
    path = var.out
  }
}
