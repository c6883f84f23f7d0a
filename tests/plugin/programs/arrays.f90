! SPDX-License-Identifier: MIT
! Fortran: everything that comes from the heap, in module procedures, in
! contained ones and in external ones, under the names that Fortran has.
! flags: -fno-optimize-sibling-calls -fno-inline -fno-ipa-cp -fno-ipa-sra
! flags: -fmax-stack-var-size=64 -frecursive -fno-automatic -w
module shapes
  implicit none
  type point
    real, allocatable :: x(:)
  end type
contains
  subroutine make(p, n)
    type(point), intent(out) :: p
    integer, intent(in) :: n
    integer :: status
    allocate(p%x(n)) ! @component
    p%x = 1.0
    deallocate(p%x, stat=status)
    allocate(p%x(n + 1), stat=status) ! @again
    p%x = status
  end subroutine

  function numbers(n) result(r)
    integer, intent(in) :: n
    integer, allocatable :: r(:)
    integer :: i
    allocate(r(n)) ! @result
    do i = 1, n
      r(i) = i
    end do
  end function

  real function total(n)
    integer, intent(in) :: n
    real :: work(n) ! @automatic
    call fill(work, n)
    total = sum(work)
    call inner() ! @inner
  contains
    subroutine inner()
      real, allocatable :: t(:)
      allocate(t(2 * n)) ! @contained
      call fill(t, 2 * n)
      total = total + t(1)
    end subroutine
  end function

  subroutine fill(x, n)
    integer, intent(in) :: n
    real, intent(inout) :: x(n)
    integer :: i
    do i = 1, n
      x(i) = i
    end do
  end subroutine
end module

! Not in a module: an external procedure. Its string is made, then copied.
subroutine plain(n)
  integer :: n
  character(len=:), allocatable :: s
  s = repeat('ab', n) ! @string
  print '(a)', s
  flush 6
end subroutine

program main
  use shapes
  implicit none
  type(point) :: p
  integer, allocatable :: k(:)
  real :: r
  call make(p, 3) ! @one
  allocate(k(2)) ! @own
  k = numbers(4) ! @two
  r = total(3) ! @three
  if (sum(k) + r > 0) call plain(2) ! @four
end program
! expect: malloc shapes::make@component < main@one < main:*
! expect: malloc shapes::make@again < main@one < main:*
! expect: malloc main@own < main:*
! expect: malloc shapes::numbers@result < main@two < main:*
! expect: realloc main@two < main:*
! expect: malloc shapes::total@automatic < main@three < main:*
! expect: malloc shapes::total::inner@contained < shapes::total@inner < main@three < main:*
! expect: malloc plain@string < main@four < main:*
! expect: malloc plain@string < main@four < main:*
! expect: abab
