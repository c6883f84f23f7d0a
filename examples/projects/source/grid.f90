! SPDX-License-Identifier: MIT
! Fortran allocates with malloc: an array that lives until the end, and one that
! does not.
program grid
    implicit none
    real(8), allocatable, save :: field(:, :)
    real(8), allocatable :: row(:)

    allocate (field(100, 200))
    field = 1.0d0
    allocate (row(200))
    row = sum(field, 1)
    print '(f10.1)', sum(row)
    deallocate (row)
end program grid
