! SPDX-License-Identifier: MIT
!
! A Fortran program as they are written: heat on a plate, by finite elements.
! Each round refines the mesh, gathers the elements' small matrices in rows
! that grow (allocatable components of derived types), packs them, and solves
! by conjugate gradients, whose functions give allocatable results.
!
!     sparse [SIDE [ROUNDS]]      prints what the solution adds up to
module sparse_matrices
    implicit none
    integer, parameter :: real64 = selected_real_kind(15)

    ! A row while it is assembled: entries in the order in which they came.
    type :: row_type
        integer :: n = 0
        integer, allocatable :: columns(:)
        real(real64), allocatable :: values(:)
    end type

    ! Compressed rows: those of row i are first(i) to first(i + 1) - 1.
    type :: matrix_type
        integer, allocatable :: first(:), columns(:)
        real(real64), allocatable :: values(:)
    end type

    ! What one element adds: of the nodes that it has, whatever their number.
    type :: element_type
        integer, allocatable :: nodes(:)
        real(real64), allocatable :: values(:, :)
    end type

contains

    subroutine row_grow(row)
        type(row_type), intent(inout) :: row
        integer, allocatable :: columns(:)
        real(real64), allocatable :: values(:)

        allocate(columns(2 * row%n + 2), values(2 * row%n + 2))
        if (row%n > 0) then
            columns(:row%n) = row%columns(:row%n)
            values(:row%n) = row%values(:row%n)
        end if
        call move_alloc(columns, row%columns)
        call move_alloc(values, row%values)
    end subroutine

    subroutine row_add(row, column, value)
        type(row_type), intent(inout) :: row
        integer, intent(in) :: column
        real(real64), intent(in) :: value
        integer :: i

        do i = 1, row%n
            if (row%columns(i) == column) then
                row%values(i) = row%values(i) + value
                return
            end if
        end do
        if (.not. allocated(row%columns)) then
            call row_grow(row)
        else if (row%n == size(row%columns)) then
            call row_grow(row)
        end if
        row%n = row%n + 1
        row%columns(row%n) = column
        row%values(row%n) = value
    end subroutine

    ! A square of the mesh: its four corners, each joined with the others.
    function element_at(side, x, y) result(element)
        integer, intent(in) :: side, x, y
        type(element_type) :: element
        integer :: i, corner

        corner = (y - 1) * side + x
        allocate(element%nodes(4), element%values(4, 4))
        element%nodes(:) = [corner, corner + 1, corner + side, corner + side + 1]
        element%values = -1.0_real64 / 3.0_real64
        do i = 1, 4
            element%values(i, i) = 2.0_real64 / 3.0_real64 + 0.01_real64
            element%values(i, 5 - i) = -1.0_real64 / 6.0_real64
        end do
    end function

    subroutine assemble(rows, side)
        integer, intent(in) :: side
        type(row_type), allocatable, intent(out) :: rows(:)
        type(element_type) :: element
        integer :: x, y, i, k

        allocate(rows(side * side))
        do y = 1, side - 1
            do x = 1, side - 1
                element = element_at(side, x, y)
                do i = 1, size(element%nodes)
                    do k = 1, size(element%nodes)
                        call row_add(rows(element%nodes(i)), &
                                     element%nodes(k), element%values(i, k))
                    end do
                end do
            end do
        end do
    end subroutine

    subroutine pack_rows(rows, matrix)
        type(row_type), intent(in) :: rows(:)
        type(matrix_type), intent(out) :: matrix
        integer :: i, from

        allocate(matrix%first(size(rows) + 1))
        allocate(matrix%columns(sum(rows%n)), matrix%values(sum(rows%n)))
        from = 1
        do i = 1, size(rows)
            matrix%first(i) = from
            matrix%columns(from:from + rows(i)%n - 1) = &
                rows(i)%columns(:rows(i)%n)
            matrix%values(from:from + rows(i)%n - 1) = rows(i)%values(:rows(i)%n)
            from = from + rows(i)%n
        end do
        matrix%first(size(rows) + 1) = from
    end subroutine

    function times(matrix, vector) result(product)
        type(matrix_type), intent(in) :: matrix
        real(real64), intent(in) :: vector(:)
        real(real64), allocatable :: product(:)
        integer :: i, k

        allocate(product(size(vector)))
        do i = 1, size(vector)
            product(i) = 0
            do k = matrix%first(i), matrix%first(i + 1) - 1
                product(i) = product(i) + &
                             matrix%values(k) * vector(matrix%columns(k))
            end do
        end do
    end function

    ! Conjugate gradients; as many steps as asked for, or until it is exact.
    function solve(matrix, right, n_steps) result(solution)
        type(matrix_type), intent(in) :: matrix
        real(real64), intent(in) :: right(:)
        integer, intent(in) :: n_steps
        real(real64), allocatable :: solution(:), rest(:), direction(:)
        real(real64), allocatable :: image(:)
        real(real64) :: now, before, length
        integer :: step

        allocate(solution(size(right)))
        solution = 0
        rest = right
        direction = right
        now = dot_product(rest, rest)
        do step = 1, n_steps
            if (now < 1e-20_real64) exit
            image = times(matrix, direction)
            length = now / dot_product(direction, image)
            solution = solution + length * direction
            rest = rest - length * image
            before = now
            now = dot_product(rest, rest)
            direction = rest + now / before * direction
        end do
    end function
end module

program sparse
    use sparse_matrices
    implicit none
    type(row_type), allocatable :: rows(:)
    type(matrix_type) :: matrix
    real(real64), allocatable :: right(:)
    real(real64) :: total
    integer :: side, rounds, round

    side = argument(1, 60)
    rounds = argument(2, 20)
    total = 0
    do round = 1, rounds
        call assemble(rows, side + mod(round, 7))
        call pack_rows(rows, matrix)
        allocate(right(size(rows)))
        right = 1
        total = total + sum(solve(matrix, right, 100))
        deallocate(right)
    end do
    print '(es14.6)', total

contains

    integer function argument(number, otherwise)
        integer, intent(in) :: number, otherwise
        character(len=20) :: text

        argument = otherwise
        if (command_argument_count() < number) return
        call get_command_argument(number, text)
        read (text, *) argument
    end function
end program
