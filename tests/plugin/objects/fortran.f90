! SPDX-License-Identifier: MIT
! What is known of allocated objects in Fortran. Behind each statement: the
! type of the elements with its size, and the name of the array.
module shapes
    implicit none
    type point
        real(8) :: x, y
    end type
    type, extends(point) :: solid
        real(8) :: z
    end type
    type holder
        integer, allocatable :: numbers(:)
        type(point), allocatable :: centre
        type(point), pointer :: corners(:)
        type(holder), pointer :: next
    end type
    real(4), allocatable :: global(:)
contains
    subroutine local(n)
        integer, intent(in) :: n
        real(8), allocatable :: a(:), b(:, :)
        integer(1), allocatable :: bytes(:)
        logical, allocatable :: flags(:)
        complex(8), allocatable :: c(:)
        type(point), allocatable :: q(:)
        type(point), pointer :: r
        real, allocatable :: scalar
        character(len=:), allocatable :: name
        character(len=5), allocatable :: names(:)

        allocate(a(n)) ! = real(kind=8) (8), a
        allocate(b(n, n)) ! = real(kind=8) (8), b
        allocate(bytes(n)) ! = integer(kind=1) (1), bytes
        allocate(flags(n)) ! = logical(kind=4) (4), flags
        allocate(c(n)) ! = complex(kind=8) (16), c
        allocate(q(n)) ! = type(point) (16), q
        allocate(r) ! = type(point) (16), r
        allocate(scalar) ! = real(kind=4) (4), scalar
        allocate(character(len=n) :: name) ! = character(kind=1) (1), name
        allocate(names(n)) ! = character(kind=1) (1), names
        a = n
        b = n
        bytes = 1
        flags = .true.
        c = (1, 2)
        q%x = 1
        r%x = 1
        scalar = 2
        name = 'abc'
        names = 'abcde'
        print *, a(1), b(1, 1), bytes(1), flags(1), c(1), q(1)%x, r%x, &
            scalar, name, names(1)
        deallocate(r)
    end subroutine

    subroutine members(h, dummy, n)
        type(holder), intent(inout) :: h
        real(8), allocatable, intent(inout) :: dummy(:)
        integer, intent(in) :: n

        allocate(h%numbers(n)) ! = integer(kind=4) (4), h%numbers
        allocate(h%centre) ! = type(point) (16), h%centre
        allocate(h%corners(n)) ! = type(point) (16), h%corners
        allocate(dummy(n)) ! = real(kind=8) (8), dummy
        allocate(global(n)) ! = real(kind=4) (4), global
        h%numbers = 1
        h%centre%x = 1
        h%corners%x = 2
        dummy = 3
        global = 4
        print *, h%numbers(1), h%centre%x, h%corners(1)%x, dummy(1), global(1)
    end subroutine
end module

program main
    use shapes
    implicit none
    type(holder) :: h
    real(8), allocatable :: dummy(:)
    integer :: n

    n = command_argument_count() + 7
    call local(n)
    call members(h, dummy, n)
end program
